"""What does a layer cost in energy, DRAM-bound latency and area?"""
