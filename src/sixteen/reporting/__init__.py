"""From a summary to the page that people open: figures, notebook, HTML, publication."""
