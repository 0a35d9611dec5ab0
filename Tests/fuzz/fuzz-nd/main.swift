// SPDX-License-Identifier: Apache-2.0
// Fuzzes what lines send in neighbour discovery, and the router that answers.

import Foundation
import FuzzDriver
import NDExercise

let target: FuzzTarget = { bytes, count in
    if let problem = NDExercise.problem(with: input(bytes, count)) { preconditionFailure(problem) }
    return 0
}

exit(fuzz(target))
