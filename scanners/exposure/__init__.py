"""What of a site can be fetched, or is let out, that is nobody's business."""
