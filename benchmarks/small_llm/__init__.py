"""Both language-model aligners with a real model that is far too small to judge.

What counts is that nothing breaks and nothing passes unread. See README.md.
"""
