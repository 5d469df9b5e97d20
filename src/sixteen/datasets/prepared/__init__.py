"""The forms in which datasets are prepared: what every later step reads, whatever the data came from.

A form is a class that holds the arrays of a dataset and knows how to write them into one file and to read them back.
"""
