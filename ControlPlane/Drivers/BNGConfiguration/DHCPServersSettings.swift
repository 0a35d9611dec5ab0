// SPDX-License-Identifier: Apache-2.0
// `dhcp-servers:` as values, defaults filled in.

import BNGCore

/// An entry of `dhcp-servers:`: servers that share what they know.
public struct DHCPServersSettings: Sendable, Equatable {
    /// Servers of one family and the address they know us by.
    public struct Family: Sendable, Equatable {
        public var servers: [HostPort]
        public var local: HostPort
    }

    /// Whom a server takes for its client.
    public enum Identity: String, Sendable, CaseIterable { case client, line }

    public var name: String
    public var ipv4: Family?
    public var ipv6: Family?
    public var timeoutMs: UInt32 = 1_000
    public var retries = 2
    public var outstanding = 256
    public var holdDownMs: UInt32 = 30_000
    public var identity = Identity.client
}
