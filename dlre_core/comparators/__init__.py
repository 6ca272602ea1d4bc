"""What the network is compared with: serum indices, stiffness, radiomics and their fusion."""
