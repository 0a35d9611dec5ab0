// SPDX-License-Identifier: Apache-2.0
// A port forward as AAA, a file or an operator asks for it, before a session's ports are known.

import BNGCore

/// `tcp:443:8443`, `udp:*:192.0.2.9:53`: protocol, public port or `*` for any of the session's, host behind it, its port.
public struct PortForward: Hashable, Sendable, Codable, CustomStringConvertible {
    public var isTCP: Bool
    /// 0: any.
    public var outsidePort: UInt16
    /// nil: the session's own address.
    public var inside: IPv4Address?
    public var insidePort: UInt16

    public init(isTCP: Bool, outsidePort: UInt16, inside: IPv4Address?, insidePort: UInt16) {
        self.isTCP = isTCP
        self.outsidePort = outsidePort
        self.inside = inside
        self.insidePort = insidePort
    }

    /// What a text has to look like.
    public static let expected = "PROTOCOL:PORT:[ADDRESS:]PORT such as tcp:5000:80 or udp:*:192.168.1.9:53"

    /// nil if it does not.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 || parts.count == 4, parts[0] == "tcp" || parts[0] == "udp",
            let outside = parts[1] == "*" ? 0 : UInt16(parts[1]), outside != 0 || parts[1] == "*",
            let insidePort = UInt16(parts[parts.count - 1]), insidePort != 0
        else { return nil }
        let inside = parts.count == 4 ? IPv4Address(parts[2]) : nil
        guard parts.count == 3 || inside != nil else { return nil }
        self.init(isTCP: parts[0] == "tcp", outsidePort: outside, inside: inside, insidePort: insidePort)
    }

    public var description: String {
        let outside = self.outsidePort == 0 ? "*" : "\(self.outsidePort)"
        let inside = self.inside.map { "\($0):" } ?? ""
        return "\(self.isTCP ? "tcp" : "udp"):\(outside):\(inside)\(self.insidePort)"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = PortForward(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected \(Self.expected)")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.description)
    }
}

/// Why a forward cannot be.
public struct PortForwardProblem: Error, Equatable, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}

extension NATGrant {
    /// Forwards of a session at most, as nodes have it (docs/contract.md section 7).
    public static let forwardLimit = 32

    /// The same grant with other forwards.
    public func with(_ forwards: [Forward]) -> NATGrant {
        NATGrant(
            pool: self.pool, policy: self.policy, address: self.address, blockPorts: self.blockPorts,
            firstPorts: self.firstPorts, forwards: forwards)
    }

    /// The forward that is wanted, with a port of this grant.
    /// - Parameters:
    ///   - address: the session's own.
    ///   - routes: prefixes behind it.
    public func resolve(
        _ wanted: PortForward, origin: Forward.Origin, address: IPv4Address, routes: [IPv4Prefix]
    ) throws(PortForwardProblem) -> Forward {
        guard !self.isOneToOne else {
            throw PortForwardProblem("the session has a public address of its own: all ports lead to it")
        }
        guard self.forwards.count < Self.forwardLimit else {
            throw PortForwardProblem(
                "the session has \(self.forwards.count) forwards: expected at most \(Self.forwardLimit)")
        }
        let inside = wanted.inside ?? address
        guard inside == address || routes.contains(where: { $0.contains(inside) }) else {
            throw PortForwardProblem(
                "\(inside): expected \(address), or an address behind a framed route of the session")
        }
        let same = self.forwards.filter { $0.isTCP == wanted.isTCP }
        if let other = same.first(where: { $0.inside == inside && $0.insidePort == wanted.insidePort }) {
            throw PortForwardProblem("port \(other.outsidePort) leads to \(inside):\(wanted.insidePort) already")
        }
        let taken = Set(same.map(\.outsidePort))
        var outside = wanted.outsidePort
        if outside == 0 {
            let near = self.isFree(wanted.insidePort, taken) ? wanted.insidePort : nil
            guard let free = near ?? self.ranges.lazy.compactMap({ $0.last { !taken.contains($0) } }).first else {
                throw PortForwardProblem("no port of the session is free")
            }
            outside = free
        }
        guard !taken.contains(outside) else {
            throw PortForwardProblem("port \(outside) of \(self.address) is forwarded already")
        }
        guard self.isFree(outside, taken) else {
            let ports = self.ranges.map { "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ", ")
            throw PortForwardProblem("port \(outside): expected one of the session's ports, \(ports)")
        }
        return Forward(
            isTCP: wanted.isTCP, outsidePort: outside, inside: inside, insidePort: wanted.insidePort, origin: origin)
    }

    private func isFree(_ port: UInt16, _ taken: Set<UInt16>) -> Bool {
        !taken.contains(port) && self.ranges.contains { $0.contains(port) }
    }
}
