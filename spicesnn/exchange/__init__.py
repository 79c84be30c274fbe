"""Networks to and from other tools by NIR, and onto cells and a crossbar."""
