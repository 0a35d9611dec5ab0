// SPDX-License-Identifier: Apache-2.0
// The computations of MS-CHAPv2 (RFC 2759 8): SHA-1 by swift-crypto, MD4 and DES by ourselves (ADR 0008).

import Crypto

/// Responses of clients, and what proves to a client that the server knows its password too.
public enum MSCHAPv2 {
    /// Authenticator and peer challenge.
    public static let challengeCount = 16
    /// Peer challenge, reserved, NT-Response, flags (RFC 2759 4).
    public static let responseCount = 49

    /// GenerateNTResponse (RFC 2759 8.1): 24 bytes.
    public static func ntResponse(
        challenge: [UInt8], peerChallenge: [UInt8], name: [UInt8], password: [UInt8]
    ) -> [UInt8] {
        let block = Self.challengeHash(challenge, peerChallenge, name)
        let hash = Self.passwordHash(password) + [UInt8](repeating: 0, count: 5)
        return [0, 7, 14].flatMap { DES.encrypt(block, key: Array(hash[$0..<($0 + 7)])) }
    }

    /// GenerateAuthenticatorResponse (RFC 2759 8.7): "S=" and 40 digits in upper case.
    public static func authenticatorResponse(
        challenge: [UInt8], peerChallenge: [UInt8], name: [UInt8], password: [UInt8], ntResponse: [UInt8]
    ) -> [UInt8] {
        let hash = MD4.hash(Self.passwordHash(password))
        let digest = Insecure.SHA1.hash(data: hash + ntResponse + Self.signing)
        let block = Self.challengeHash(challenge, peerChallenge, name)
        return Array("S=".utf8) + Self.digits(Insecure.SHA1.hash(data: Array(digest) + block + Self.padding))
    }

    /// The 49 bytes a client sends.
    public static func response(
        challenge: [UInt8], peerChallenge: [UInt8], name: [UInt8], password: [UInt8]
    ) -> [UInt8] {
        let answer = Self.ntResponse(
            challenge: challenge, peerChallenge: peerChallenge, name: name, password: password)
        return peerChallenge + [UInt8](repeating: 0, count: 8) + answer + [0]
    }

    /// RFC 2759 8.2: a domain before the name is left out.
    private static func challengeHash(_ challenge: [UInt8], _ peerChallenge: [UInt8], _ name: [UInt8]) -> [UInt8] {
        let start = name.lastIndex(of: UInt8(ascii: "\\")).map { $0 + 1 } ?? 0
        return Array(Insecure.SHA1.hash(data: peerChallenge + challenge + name[start...]).prefix(8))
    }

    /// RFC 2759 8.3: MD4 over the password in UTF-16, least byte first.
    private static func passwordHash(_ password: [UInt8]) -> [UInt8] {
        MD4.hash(
            String(decoding: password, as: UTF8.self).utf16.flatMap {
                [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)]
            })
    }

    private static func digits(_ digest: Insecure.SHA1Digest) -> [UInt8] {
        let alphabet = Array("0123456789ABCDEF".utf8)
        return digest.flatMap { [alphabet[Int($0 >> 4)], alphabet[Int($0 & 15)]] }
    }

    private static let signing = Array("Magic server to client signing constant".utf8)
    private static let padding = Array("Pad to make it do more than one iteration".utf8)
}
