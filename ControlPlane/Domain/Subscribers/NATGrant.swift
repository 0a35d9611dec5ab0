// SPDX-License-Identifier: Apache-2.0
// The public side of a session whose own address is private: what it was granted and what is logged of it.

import BNGCore

/// Ports of one public address, or all of it, that belong to a session. Kept behind a reference: most sessions have none.
public struct NATGrant: Equatable, Sendable {
    /// A port that leads to a host of the customer.
    public struct Forward: Hashable, Sendable {
        public var isTCP: Bool
        public var outsidePort: UInt16
        public var inside: IPv4Address
        public var insidePort: UInt16
        public var origin: Origin

        /// Who wants it.
        public enum Origin: Hashable, Sendable {
            case aaa
            case `operator`
            /// By PCP with the nonce of the mapping, by NAT-PMP without.
            case client(nonce: [UInt8], expires: UTCTime)

            /// nil: it stays.
            public var expires: UTCTime? {
                if case .client(_, let expires) = self { return expires }
                return nil
            }
        }

        public init(
            isTCP: Bool, outsidePort: UInt16, inside: IPv4Address, insidePort: UInt16, origin: Origin = .operator
        ) {
            self.origin = origin
            self.isTCP = isTCP
            self.outsidePort = outsidePort
            self.inside = inside
            self.insidePort = insidePort
        }
    }

    private final class Content: Equatable, Sendable {
        let pool: String
        let policy: String
        let address: IPv4Address
        let blockPorts: UInt16
        let firstPorts: [UInt16]
        let forwards: [Forward]

        init(
            _ pool: String, _ policy: String, _ address: IPv4Address, _ blockPorts: UInt16, _ firstPorts: [UInt16],
            _ forwards: [Forward]
        ) {
            self.pool = pool
            self.policy = policy
            self.address = address
            self.blockPorts = blockPorts
            self.firstPorts = firstPorts
            self.forwards = forwards
        }

        static func == (a: Content, b: Content) -> Bool {
            a === b
                || (a.pool == b.pool && a.policy == b.policy && a.address == b.address
                    && a.blockPorts == b.blockPorts && a.firstPorts == b.firstPorts && a.forwards == b.forwards)
        }
    }

    private let content: Content

    /// - Parameters:
    ///   - policy: name of the NAT policy; empty: one to one.
    ///   - blockPorts: size of every block; 0: the whole address, one to one.
    ///   - firstPorts: in the order they were granted.
    public init(
        pool: String, policy: String, address: IPv4Address, blockPorts: UInt16, firstPorts: [UInt16],
        forwards: [Forward] = []
    ) {
        self.content = Content(pool, policy, address, blockPorts, firstPorts, forwards)
    }

    public var pool: String { self.content.pool }
    public var policy: String { self.content.policy }
    public var address: IPv4Address { self.content.address }
    public var blockPorts: UInt16 { self.content.blockPorts }
    public var firstPorts: [UInt16] { self.content.firstPorts }
    public var forwards: [Forward] { self.content.forwards }

    public var isOneToOne: Bool { self.blockPorts == 0 }

    /// The ports as ranges; one to one: all of them.
    public var ranges: [ClosedRange<UInt16>] {
        self.isOneToOne ? [0...65_535] : self.firstPorts.map { $0...($0 + (self.blockPorts - 1)) }
    }

    /// What it has beside these blocks.
    public func without(_ firstPorts: [UInt16]) -> NATGrant {
        NATGrant(
            pool: self.pool, policy: self.policy, address: self.address, blockPorts: self.blockPorts,
            firstPorts: self.firstPorts.filter { !firstPorts.contains($0) })
    }

    /// With one more block.
    public func extended(by firstPort: UInt16) -> NATGrant {
        NATGrant(
            pool: self.pool, policy: self.policy, address: self.address, blockPorts: self.blockPorts,
            firstPorts: self.firstPorts + [firstPort], forwards: self.forwards)
    }
}

extension NATGrant {
    /// `1 POOL POLICY ADDRESS SIZE PORT,PORT…` and a word `T` or `U` OUTSIDE`,`INSIDE`,`PORT for each forward, with `,A` if AAA
    /// wants it, `,C,`MILLISECONDS`,`NONCE if a client does; `-` for no policy and no ports. Names hold no spaces.
    public var text: String {
        let ports = self.firstPorts.map { String($0) }.joined(separator: ",")
        var text = "1 \(self.pool) \(self.policy.isEmpty ? "-" : self.policy) \(self.address) \(self.blockPorts)"
        text += " \(ports.isEmpty ? "-" : ports)"
        for forward in self.forwards {
            text += " \(forward.isTCP ? "T" : "U")\(forward.outsidePort),\(forward.inside),\(forward.insidePort)"
            text += forward.origin.text
        }
        return text
    }

    /// nil if no version wrote this.
    public init?(text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 6, words[0] == "1", let address = IPv4Address(String(words[3])),
            let size = UInt16(words[4])
        else { return nil }
        var firstPorts: [UInt16] = []
        if words[5] != "-" {
            for word in words[5].split(separator: ",", omittingEmptySubsequences: false) {
                guard let port = UInt16(word), Int(port) + Int(size) <= 65_536 else { return nil }
                firstPorts.append(port)
            }
        }
        guard (size == 0) == firstPorts.isEmpty else { return nil }
        var forwards: [Forward] = []
        for word in words.dropFirst(6) {
            let parts = word.dropFirst().split(separator: ",", omittingEmptySubsequences: false)
            guard parts.count >= 3, let origin = Forward.Origin(parts.dropFirst(3)),
                word.first == "T" || word.first == "U", let outside = UInt16(parts[0]),
                let inside = IPv4Address(String(parts[1])), let port = UInt16(parts[2])
            else { return nil }
            forwards.append(
                Forward(
                    isTCP: word.first == "T", outsidePort: outside, inside: inside, insidePort: port, origin: origin))
        }
        self.init(
            pool: String(words[1]), policy: words[2] == "-" ? "" : String(words[2]), address: address, blockPorts: size,
            firstPorts: firstPorts, forwards: forwards)
    }
}

/// Blocks of a session that is no more: nobody else gets them before a time (RFC 6888 REQ-8).
public struct NATRest: Equatable, Sendable {
    public var grant: NATGrant
    public var until: UTCTime

    public init(grant: NATGrant, until: UTCTime) {
        self.grant = grant
        self.until = until
    }
}

extension NATGrant.Forward.Origin {
    fileprivate var text: String {
        switch self {
        case .operator: ""
        case .aaa: ",A"
        case .client(let nonce, let expires):
            ",C,\(expires.milliseconds)," + hexadecimal(nonce)
        }
    }

    fileprivate init?(_ words: ArraySlice<Substring>) {
        switch (words.first, words.count) {
        case (nil, _): self = .operator
        case ("A", 1): self = .aaa
        case ("C", 3):
            guard let expires = Int64(words[words.startIndex + 1]),
                let nonce = bytes(hexadecimal: words[words.startIndex + 2])
            else { return nil }
            self = .client(nonce: nonce, expires: UTCTime(milliseconds: expires))
        default: return nil
        }
    }
}
