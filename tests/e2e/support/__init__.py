"""What the end-to-end tests share: the program as a process, its peers, and its output as data."""
