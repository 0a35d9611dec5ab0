// SPDX-License-Identifier: Apache-2.0
// Fuzzes what clients send in PPPoE discovery: codec, tags, answers.

import Foundation
import FuzzDriver
import PPPExercise

let exercise = PPPoEExercise()

let target: FuzzTarget = { bytes, count in
    if let problem = exercise.problem(with: input(bytes, count)) { preconditionFailure(problem) }
    return 0
}

exit(fuzz(target))
