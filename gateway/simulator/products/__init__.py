"""The register maps and telegrams of real products, as they speak."""
