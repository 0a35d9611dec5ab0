# SPDX-License-Identifier: Apache-2.0
# The contract: vectors against their generator, and the real agent against a test controller.

.PHONY: test-contract
test-contract: agent ## Contract tests: golden vectors, the real agent in namespaces of its own (needs root)
	/usr/bin/python3 Tests/support/contract_vectors.py --check
	Tests/contract/run
