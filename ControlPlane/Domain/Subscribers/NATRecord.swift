// SPDX-License-Identifier: Apache-2.0
// What the NAT log says of a block of ports, and what is told to others when it is granted and returned.

import BNGCore

/// A block of ports that a session holds, or held.
public struct NATLogEntry: Equatable, Sendable {
    public var vrf: VRF
    public var address: IPv4Address
    /// One to one: all of them.
    public var ports: ClosedRange<UInt16>
    public var granted: UTCTime
    /// nil: it holds it still.
    public var returned: UTCTime?
    public var session: SessionID
    public var node: NodeName
    /// Port of the node, VLANs and MAC address, as text.
    public var line: String
    public var userName: String
    public var inside: IPv4Address
    public var pool: String

    public init(
        vrf: VRF, address: IPv4Address, ports: ClosedRange<UInt16>, granted: UTCTime, returned: UTCTime?,
        session: SessionID, node: NodeName, line: String, userName: String, inside: IPv4Address, pool: String
    ) {
        self.vrf = vrf
        self.address = address
        self.ports = ports
        self.granted = granted
        self.returned = returned
        self.session = session
        self.node = node
        self.line = line
        self.userName = userName
        self.inside = inside
        self.pool = pool
    }

    /// One to one: no ports are shared.
    public var isWholeAddress: Bool { self.ports == 0...65_535 }
}

/// That a block was granted, or returned: the entry as it was then.
public struct NATRecord: Equatable, Sendable {
    /// One more than that of the record before it: a gap is a record that was lost. From 1.
    public var sequence: UInt64
    public var entry: NATLogEntry

    public init(sequence: UInt64, entry: NATLogEntry) {
        self.sequence = sequence
        self.entry = entry
    }

    public var isReturn: Bool { self.entry.returned != nil }
    /// When it was granted or returned.
    public var at: UTCTime { self.entry.returned ?? self.entry.granted }
}
