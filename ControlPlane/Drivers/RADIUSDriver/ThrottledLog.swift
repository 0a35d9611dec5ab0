// SPDX-License-Identifier: Apache-2.0
// A log that a peer cannot flood: each subject once a minute, with the number of times it was left out.

import Logging
import NIOCore

struct ThrottledLog {
    private let logger: Logger
    private let interval = TimeAmount.seconds(60)
    /// Subjects come from fixed lists and attribute numbers; more than this share one entry.
    private let limit = 512
    private var subjects: [String: (last: NIODeadline, skipped: UInt64)] = [:]

    init(_ logger: Logger) {
        self.logger = logger
    }

    mutating func warning(_ subject: String, _ message: Logger.Message, _ metadata: Logger.Metadata = [:]) {
        let now = NIODeadline.now()
        let key = self.subjects[subject] != nil || self.subjects.count < self.limit ? subject : ""
        var metadata = metadata
        if let (last, skipped) = self.subjects[key] {
            guard now - last >= self.interval else {
                self.subjects[key] = (last, skipped + 1)
                return
            }
            if skipped > 0 { metadata["skipped"] = "\(skipped)" }
        }
        self.subjects[key] = (now, 0)
        self.logger.warning(message, metadata: metadata)
    }
}
