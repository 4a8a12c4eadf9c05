"""Build the documentation: write pages from the program, and change links so that they hold in the site."""
