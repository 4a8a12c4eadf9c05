"""What is made when the documentation is built: pages from the program, links that hold in the site."""
