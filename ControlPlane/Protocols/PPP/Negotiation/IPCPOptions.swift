// SPDX-License-Identifier: Apache-2.0
// IPCP's options: the client gets exactly its address (RFC 1332 3.3) and our name servers (RFC 1877 1.1, 1.3);
// compression, the old IP-Addresses and NetBIOS are rejected.

import BNGCore

struct IPCPOptions: OptionRules, Equatable, Sendable {
    var addresses: PPPAddresses
    var offersAddress = true

    init(_ addresses: PPPAddresses) { self.addresses = addresses }

    var request: [PPPOption] {
        self.offersAddress ? [.number(PPPOptionType.ipAddress, self.addresses.local.rawValue)] : []
    }

    func verdict(on option: PPPOption) -> OptionVerdict {
        let right: IPv4Address?
        switch option.type {
        case PPPOptionType.ipAddress: right = self.addresses.peer
        case PPPOptionType.primaryDNS: right = self.addresses.dns.first
        case PPPOptionType.secondaryDNS: right = self.addresses.dns.dropFirst().first
        default: right = nil
        }
        guard let right else { return .reject }
        return option.uint32 == right.rawValue ? .acceptable : .nak(.number(option.type, right.rawValue))
    }

    /// RFC 1332 3.3: a client that does not ask for an address is told one.
    func missing(from options: [PPPOption]) -> [PPPOption] {
        Self.namesAddress(options) ? [] : [.number(PPPOptionType.ipAddress, self.addresses.peer.rawValue)]
    }

    static func namesAddress(_ options: [PPPOption]) -> Bool {
        options.contains { $0.type == PPPOptionType.ipAddress }
    }

    mutating func agree(to options: [PPPOption]) {}

    /// Our address is not for the client to choose; if it insists, it is not mentioned any more.
    mutating func nakked(_ options: [PPPOption], times: UInt8, limit: UInt8) -> Bool {
        if times >= limit { self.offersAddress = false }
        return true
    }

    mutating func rejected(_ options: [PPPOption]) -> Bool {
        if Self.namesAddress(options) { self.offersAddress = false }
        return true
    }
}
