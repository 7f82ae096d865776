"""How do other simulators get a network's training workload?"""
