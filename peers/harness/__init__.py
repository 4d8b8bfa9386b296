"""The comparison of Hydrant with its peers; peers/run is its command."""
