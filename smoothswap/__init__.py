"""Smooth-Swap (Kim, Lee, Zhang, CVPR 2022, arXiv 2112.05907): the models, their training, and faces coming in."""
