"""What is deployed, as plain data, and the reads that find it out."""
