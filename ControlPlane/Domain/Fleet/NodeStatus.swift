// SPDX-License-Identifier: Apache-2.0
// What is known of a node: reachability, ports, capabilities, audit outcome. Values for records and views.

import BNGCore

public enum NodeReachability: String, Sendable {
    /// Never seen since this controller started.
    case unknown
    case connected
    /// Its sessions stay; nothing is decided from silence.
    case unreachable
}

/// A port as its agent reports it.
public struct PortStatus: Hashable, Sendable {
    public enum Mode: String, Sendable { case unknown, detached, native, generic, shared }

    public var name: String
    public var role: PortRole?
    public var interfaceIndex: UInt32
    public var mac: MACAddress
    public var mtu: UInt32
    public var mode: Mode
    public var linkUp: Bool
    public var driver: String

    public init(
        name: String, role: PortRole?, interfaceIndex: UInt32, mac: MACAddress, mtu: UInt32, mode: Mode, linkUp: Bool,
        driver: String
    ) {
        self.name = name
        self.role = role
        self.interfaceIndex = interfaceIndex
        self.mac = mac
        self.mtu = mtu
        self.mode = mode
        self.linkUp = linkUp
        self.driver = driver
    }
}

/// Outcome of one audit of one family.
public struct AuditOutcome: Hashable, Sendable {
    public var family: ObjectFamily
    public var intended: Int
    public var installed: Int
    public var missing: Int
    public var extra: Int
    public var different: Int

    public init(
        family: ObjectFamily, intended: Int, installed: Int, missing: Int = 0, extra: Int = 0, different: Int = 0
    ) {
        self.family = family
        self.intended = intended
        self.installed = installed
        self.missing = missing
        self.extra = extra
        self.different = different
    }

    public var differences: Int { self.missing + self.extra + self.different }
}
