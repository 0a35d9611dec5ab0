// SPDX-License-Identifier: Apache-2.0
// What a link keeps of its authentication: how far it is, and what a repeated question is answered with.

struct Login: Equatable, Sendable {
    enum Stage: UInt8, Sendable {
        /// Nothing was proved.
        case waiting
        /// The authority was asked.
        case asked
        case admitted
        case denied
    }

    var stage = Stage.waiting
    /// 16 bytes; empty once nobody can ask any more.
    var challenge: [UInt8]
    /// Of the challenge; with PAP, of the request that is to be answered.
    var identifier: UInt8
    /// What the client was told.
    var message: [UInt8] = []
    /// Challenges that may still be sent.
    var tries: UInt8 = 0

    init(challenge: [UInt8], identifier: UInt8) {
        self.challenge = challenge
        self.identifier = identifier
    }

    /// LCP begins anew before anything was proved.
    mutating func restart() { self.stage = .waiting }

    /// The client has heard the answer, or is gone.
    mutating func forget() {
        self.challenge = []
        self.message = []
    }
}
