// SPDX-License-Identifier: Apache-2.0
// Fuzzes the PPP server machine with lists of events, and the codecs of its packets and options.

import Foundation
import FuzzDriver
import PPPExercise

let target: FuzzTarget = { bytes, count in
    if let problem = PPPExercise.problem(with: input(bytes, count)) { preconditionFailure(problem) }
    return 0
}

exit(fuzz(target))
