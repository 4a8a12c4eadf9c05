"""Recurrent cells, one file each: parameters, the input product of all frames at once, and one pointwise step."""
