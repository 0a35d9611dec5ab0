// SPDX-License-Identifier: Apache-2.0
// What differs between the families: messages.

import BNGCore
import LeaseClient

typealias Request = LeaseRequest<IPPrefix>
typealias Answer = LeaseAnswer<IPPrefix>

/// A message of a server, taken apart but not yet believed.
protocol ServerMessage {
    var transaction: UInt32 { get }
    /// What it says to this order; nil: it is none of its business, or makes no sense.
    func answer(to order: LeaseOrder) -> Answer?
}

/// Builds and reads the messages of one family.
protocol LeaseFamily: Sendable {
    /// Both messages of an acquisition carry one transaction id (RFC 2131 4.4.1; not RFC 8415 16.1).
    var keepsTransaction: Bool { get }
    var transactions: ClosedRange<UInt32> { get }
    /// - Parameter seconds: since the exchange began.
    func encode(_ request: Request, _ order: LeaseOrder, transaction: UInt32, seconds: UInt16) -> [UInt8]?
    /// nil: malformed.
    func decode(_ bytes: [UInt8]) -> (any ServerMessage)?
}
