// SPDX-License-Identifier: Apache-2.0
// Fuzzes what RADIUS servers and clients of dynamic authorization send: codec, authenticity, grants, requests of RFC 5176.

import Foundation
import FuzzDriver
import RADIUSExercise

let exercise = RADIUSExercise()

let target: FuzzTarget = { bytes, count in
    if let problem = exercise.problem(with: input(bytes, count)) { preconditionFailure(problem) }
    return 0
}

exit(fuzz(target))
