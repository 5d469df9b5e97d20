"""Speed, memory and energy, measured alone on their device."""
