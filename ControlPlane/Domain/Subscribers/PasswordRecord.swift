// SPDX-License-Identifier: Apache-2.0
// What is kept of a local subscriber's password: a scrypt digest, or the password itself under a key where CHAP needs it.

import BNGCore

/// A stored password. Prints as its kind only, so that none gets into a log.
public enum PasswordRecord: Equatable, Sendable, CustomStringConvertible {
    /// RFC 7914. Cannot be read again: proves PAP, not CHAP.
    case scrypt(ScryptCost, salt: [UInt8], digest: [UInt8])
    /// Encrypted for its subscriber's name.
    case sealed([UInt8])

    /// Whether a credential is the right one.
    public enum Verdict: Equatable, Sendable {
        case right
        /// The same; and what the client wants to be told for it (RFC 2759 5).
        case mutual([UInt8])
        case wrong
        /// It cannot be told, and why.
        case undecidable(String)
    }

    /// Bytes of a password at most (RFC 2865 5.2).
    public static let passwordLimit = 128
    static let saltCount = 16
    static let digestCount = 32

    public var description: String {
        switch self {
        case .scrypt: return "scrypt"
        case .sealed: return "sealed"
        }
    }

    // MARK: Making

    /// nil if the memory is not to be had.
    public static func scrypt(
        _ password: [UInt8], cost: ScryptCost = .usual, with cryptography: any PasswordCryptography
    ) -> PasswordRecord? {
        let salt = cryptography.randomBytes(self.saltCount)
        return cryptography.scrypt(password, salt: salt, cost: cost, count: self.digestCount).map {
            .scrypt(cost, salt: salt, digest: $0)
        }
    }

    /// nil without a key.
    public static func sealed(
        _ password: [UInt8], name: String, with cryptography: any PasswordCryptography
    ) -> PasswordRecord? {
        cryptography.seal(password, name: name).map { .sealed($0) }
    }

    // MARK: Asking

    /// It is compared within microseconds: a shard need not fear it.
    public var isQuick: Bool {
        switch self {
        case .scrypt: false
        case .sealed: true
        }
    }

    /// Compares with what the customer sent. Takes as long as scrypt does, unless it is quick.
    public func verdict(
        on credential: AuthorizationRequest.Credential, name: String, with cryptography: any PasswordCryptography
    ) -> Verdict {
        switch (self, credential) {
        case (_, .line), (_, .proven): return .undecidable("a password is required")
        case (.scrypt(let cost, let salt, let digest), .password(let given)):
            guard let other = cryptography.scrypt(given, salt: salt, cost: cost, count: digest.count) else {
                return .undecidable("no memory for scrypt")
            }
            return equalInConstantTime(other, digest) ? .right : .wrong
        case (.scrypt, .chap), (.scrypt, .msChapV2): return .undecidable("the password is stored for PAP only")
        case (.sealed(let sealed), .password(let given)):
            guard let secret = cryptography.open(sealed, name: name) else { return Self.unopened }
            return equalInConstantTime(given, secret) ? .right : .wrong
        case (.sealed(let sealed), .chap(let identifier, let challenge, let response)):
            guard let secret = cryptography.open(sealed, name: name) else { return Self.unopened }
            let expected = cryptography.chapResponse(identifier: identifier, secret: secret, challenge: challenge)
            return equalInConstantTime(response, expected) ? .right : .wrong
        case (.sealed(let sealed), .msChapV2(_, let challenge, let response)):
            guard let secret = cryptography.open(sealed, name: name) else { return Self.unopened }
            let proof = cryptography.msChapV2Proof(
                name: Array(name.utf8), secret: secret, challenge: challenge, response: response)
            return proof.map { .mutual($0) } ?? .wrong
        }
    }

    private static let unopened = Verdict.undecidable("the key does not open the stored password")
}

extension PasswordRecord {
    /// `scrypt$LOGCOST$BLOCKSIZE$PARALLELISM$SALT$DIGEST` or `sealed$BYTES`, as files and the store hold it; bytes in hexadecimal.
    public var text: String {
        switch self {
        case .scrypt(let cost, let salt, let digest):
            return "scrypt$\(cost.logCost)$\(cost.blockSize)$\(cost.parallelism)$\(hexadecimal(salt))"
                + "$\(hexadecimal(digest))"
        case .sealed(let bytes): return "sealed$\(hexadecimal(bytes))"
        }
    }

    /// nil unless it is such a text, with a cost and sizes within bounds.
    public init?(text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        switch (parts.first, parts.count) {
        case ("scrypt", 6):
            guard let logCost = UInt64(parts[1]), let blockSize = UInt64(parts[2]), let parallelism = UInt64(parts[3]),
                let cost = ScryptCost(logCost: logCost, blockSize: blockSize, parallelism: parallelism),
                let salt = bytes(hexadecimal: parts[4]), (8...64).contains(salt.count),
                let digest = bytes(hexadecimal: parts[5]), (16...64).contains(digest.count)
            else { return nil }
            self = .scrypt(cost, salt: salt, digest: digest)
        case ("sealed", 2):
            guard let sealed = bytes(hexadecimal: parts[1]), (16...512).contains(sealed.count) else { return nil }
            self = .sealed(sealed)
        default: return nil
        }
    }
}
