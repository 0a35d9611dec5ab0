// SPDX-License-Identifier: Apache-2.0
// What a session keeps of its PPP link: enough to serve it after a restart of either plane.

import BNGCore
import PPP

/// The PPPoE side of a session; its id is in the line's key.
public struct PPPoEDetails: Equatable, Sendable, Codable {
    public var link: PPPLink
    /// The Service-Name the client asked for.
    public var service: String
    /// Our end of the link.
    public var local: IPv4Address
    /// Largest IP packet to the client, in bytes.
    public var mtu: UInt16

    public init(link: PPPLink, service: String, local: IPv4Address, mtu: UInt16) {
        self.link = link
        self.service = service
        self.local = local
        self.mtu = mtu
    }
}
