"""What each second decides, behind `core.dispatch`: batteries, loads and inverters inside their bounds."""
