"""Lessons that run (``semblance explain TOPIC``): a closed form beside its simulation, on one page with one picture.

A lesson is a file of ``lessons/``, its words in English and Chinese beside it, and a line of ``contents.py``. Lessons
touch no patient. (The room ``explanation`` is something else: why ``describe`` took a column for what it says.)
"""
