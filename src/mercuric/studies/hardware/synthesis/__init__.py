"""What do the circuits take of an FPGA?"""
