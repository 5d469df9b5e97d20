"""Speed, memory and energy of training, measured alone on the machine."""
