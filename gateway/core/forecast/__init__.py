"""What a building may draw and produce in the coming steps: scenarios from its own past, and from a weather feed."""
