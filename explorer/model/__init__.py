"""What the screens show, without Textual: an open study, the pair that is compared, sets, rows, and the way through traces."""
