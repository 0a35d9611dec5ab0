// SPDX-License-Identifier: Apache-2.0
// A shared secret and everything that is computed with it: authenticators, Message-Authenticator, hidden passwords.
//
// Every Access-Request and Status-Server carries a Message-Authenticator as its first attribute, every packet without one is
// at the reader's mercy (CVE-2024-3596: a Response Authenticator alone can be forged on the path).
//
// Supported standards: RFC 2865 (3, 5.2), RFC 2866 (3), RFC 2869 and 3579 (Message-Authenticator), RFC 5176 (2.3, 3.4),
// RFC 5997 (3), RFC 6614 (2.3: over TLS the secret is "radsec").

import BNGCore

/// Seals packets to a peer and checks the peer's. It never shows the secret.
public struct RADIUSSecret: Sendable, CustomStringConvertible, CustomReflectable {
    /// What a check found.
    public enum Verdict: Equatable, Sendable {
        /// Genuine. `signed`: by Message-Authenticator too.
        case genuine(signed: Bool)
        case badAuthenticator
        case badMessageAuthenticator
    }

    private let secret: [UInt8]
    private let digests: any MessageDigests

    public init(_ secret: [UInt8], digests: any MessageDigests) {
        self.secret = secret
        self.digests = digests
    }

    public var description: String { "(secret)" }
    public var customMirror: Mirror { Mirror(self, children: []) }

    // MARK: Sealing

    /// Access-Request and Status-Server: the packet's authenticator is random; the signature goes first.
    public func seal(request packet: RADIUSPacket) -> [UInt8] {
        var bytes = RADIUSCodec.encode(Self.withSignature(packet))
        self.sign(&bytes)
        return bytes
    }

    /// Accounting-Request, CoA-Request, Disconnect-Request: the authenticator is computed over the packet (RFC 2866 3).
    public func seal(computing packet: RADIUSPacket, signed: Bool) -> [UInt8] {
        var packet = signed ? Self.withSignature(packet) : packet
        packet.authenticator = .zero
        var bytes = RADIUSCodec.encode(packet)
        if signed { self.sign(&bytes) }
        bytes.replaceSubrange(4..<20, with: self.digests.md5(bytes + self.secret))
        return bytes
    }

    /// An answer to the request whose authenticator is given.
    public func seal(answer packet: RADIUSPacket, to request: RADIUSAuthenticator, signed: Bool) -> [UInt8] {
        var packet = signed ? Self.withSignature(packet) : packet
        packet.authenticator = request
        var bytes = RADIUSCodec.encode(packet)
        if signed { self.sign(&bytes) }
        bytes.replaceSubrange(4..<20, with: self.digests.md5(bytes + self.secret))
        return bytes
    }

    private static func withSignature(_ packet: RADIUSPacket) -> RADIUSPacket {
        var result = packet
        result.attributes = packet.attributes.withSignaturePlace()
        return result
    }

    /// Fills in the first attribute, which is a Message-Authenticator of zeros.
    private func sign(_ bytes: inout [UInt8]) {
        let start = RADIUSCodec.headLength + 2
        bytes.replaceSubrange(start..<start + 16, with: self.digests.hmacMD5(key: self.secret, bytes))
    }

    // MARK: Checking

    /// Checks an answer to the request whose authenticator is given. `bytes` is a packet that decodes, without padding.
    public func check(answer bytes: [UInt8], to request: RADIUSAuthenticator) -> Verdict {
        var computed = bytes
        computed.replaceSubrange(4..<20, with: request.bytes)
        guard equalInConstantTime(self.digests.md5(computed + self.secret), Array(bytes[4..<20])) else {
            return .badAuthenticator
        }
        let verdict = self.checkSignature(of: computed)
        // FreeRADIUS signs an Accounting-Response over an authenticator of zeros.
        if verdict == .badMessageAuthenticator, bytes[0] == RADIUSCode.accountingResponse.rawValue {
            computed.replaceSubrange(4..<20, with: RADIUSAuthenticator.zero.bytes)
            return self.checkSignature(of: computed)
        }
        return verdict
    }

    /// Checks a request whose authenticator is computed (RFC 5176 2.3). `bytes` is a packet that decodes, without padding.
    public func check(computedRequest bytes: [UInt8]) -> Verdict {
        var computed = bytes
        computed.replaceSubrange(4..<20, with: RADIUSAuthenticator.zero.bytes)
        guard equalInConstantTime(self.digests.md5(computed + self.secret), Array(bytes[4..<20])) else {
            return .badAuthenticator
        }
        return self.checkSignature(of: computed)
    }

    /// Checks a request with a random authenticator: only a signature can prove it genuine.
    public func check(randomRequest bytes: [UInt8]) -> Verdict {
        self.checkSignature(of: bytes)
    }

    /// `bytes` has the authenticator the signature was computed with.
    private func checkSignature(of bytes: [UInt8]) -> Verdict {
        var place: Range<Int>?
        var offset = RADIUSCodec.headLength
        while offset + 2 <= bytes.count {
            let length = Int(bytes[offset + 1])
            guard length >= 2, offset + length <= bytes.count else { return .badMessageAuthenticator }
            if bytes[offset] == RADIUSAttributeKey.messageAuthenticator.type {
                // RFC 2869 5.19: at most one.
                guard place == nil, length == 18 else { return .badMessageAuthenticator }
                place = offset + 2..<offset + 18
            }
            offset += length
        }
        guard let place else { return .genuine(signed: false) }
        var computed = bytes
        computed.replaceSubrange(place, with: RADIUSAuthenticator.zero.bytes)
        let right = self.digests.hmacMD5(key: self.secret, computed)
        return equalInConstantTime(right, Array(bytes[place])) ? .genuine(signed: true) : .badMessageAuthenticator
    }

    // MARK: Passwords

    /// A password as User-Password carries it (RFC 2865 5.2): at least one block, at most 128 bytes, longer ones cut.
    public func hide(password: [UInt8], authenticator: RADIUSAuthenticator) -> [UInt8] {
        var padded = Array(password.prefix(128))
        while padded.count % 16 != 0 || padded.isEmpty { padded.append(0) }
        var hidden: [UInt8] = []
        var previous = authenticator.bytes
        for start in stride(from: 0, to: padded.count, by: 16) {
            let mask = self.digests.md5(self.secret + previous)
            previous = zip(mask, padded[start..<start + 16]).map { $0 ^ $1 }
            hidden += previous
        }
        return hidden
    }
}
