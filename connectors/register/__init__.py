"""What reads registers of any family: no connector is in here, and none of a family's own rules.

The families never see each other; what two of them need alike to read somebody's table or list has its place here. It
opens `collector.contract` alone. It is no part of the contract: nobody but a connector pages through a register.
"""
