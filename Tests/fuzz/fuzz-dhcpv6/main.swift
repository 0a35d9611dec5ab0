// SPDX-License-Identifier: Apache-2.0
// Fuzzes what clients and relays send to a DHCPv6 server.

import DHCPv6Exercise
import Foundation
import FuzzDriver

let target: FuzzTarget = { bytes, count in
    if let problem = DHCPv6Exercise.problem(with: input(bytes, count)) { preconditionFailure(problem) }
    return 0
}

exit(fuzz(target))
