"""The elastogram on a screen: layout, colour bar, measurement box, stiffness and the network's square."""
