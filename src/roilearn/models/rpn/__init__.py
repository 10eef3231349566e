"""The region proposal network (RPN): boxes of an image that may hold an object of any class.

Files in reading order: ``anchors``, ``rpn_head`` (objectness and deltas), ``proposals`` (which of
them are kept), ``rpn_losses``, ``region_proposal_network`` (all of it as a module).
"""

from roilearn.models.rpn.region_proposal_network import TOP_N, RegionProposalNetwork

__all__ = ["TOP_N", "RegionProposalNetwork"]
