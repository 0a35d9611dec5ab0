// SPDX-License-Identifier: Apache-2.0
// PasswordCryptography by swift-crypto: scrypt, AES-256-GCM, MD5 for CHAP, MS-CHAPv2; and the file that holds the key.

import BNGCore
import Crypto
import CryptoExtras
import Foundation

/// The cryptography of stored passwords.
public struct CryptoPasswords: PasswordCryptography {
    private let key: SymmetricKey?

    /// - Parameter keyFile: empty: nothing can be sealed or opened.
    public init(keyFile: String) throws(LocalAAAError) {
        self.key = keyFile.isEmpty ? nil : SymmetricKey(data: try Self.readKey(keyFile))
    }

    public func scrypt(_ password: [UInt8], salt: [UInt8], cost: ScryptCost, count: Int) -> [UInt8]? {
        let key = try? KDF.Scrypt.deriveKey(
            from: password, salt: salt, outputByteCount: count, rounds: 1 << cost.logCost, blockSize: cost.blockSize,
            parallelism: cost.parallelism)
        return key?.withUnsafeBytes { Array($0) }
    }

    public func seal(_ password: [UInt8], name: String) -> [UInt8]? {
        guard let key = self.key else { return nil }
        let box = try? AES.GCM.seal(password, using: key, authenticating: Array(name.utf8))
        return box?.combined.map { Array($0) }
    }

    public func open(_ sealed: [UInt8], name: String) -> [UInt8]? {
        guard let key = self.key, let box = try? AES.GCM.SealedBox(combined: sealed) else { return nil }
        return (try? AES.GCM.open(box, using: key, authenticating: Array(name.utf8))).map { Array($0) }
    }

    public func chapResponse(identifier: UInt8, secret: [UInt8], challenge: [UInt8]) -> [UInt8] {
        Array(Insecure.MD5.hash(data: [identifier] + secret + challenge))
    }

    public func msChapV2Proof(name: [UInt8], secret: [UInt8], challenge: [UInt8], response: [UInt8]) -> [UInt8]? {
        guard challenge.count == MSCHAPv2.challengeCount, response.count == MSCHAPv2.responseCount else { return nil }
        let peerChallenge = Array(response[..<16])
        let given = Array(response[24..<48])
        let expected = MSCHAPv2.ntResponse(
            challenge: challenge, peerChallenge: peerChallenge, name: name, password: secret)
        guard equalInConstantTime(given, expected) else { return nil }
        return MSCHAPv2.authenticatorResponse(
            challenge: challenge, peerChallenge: peerChallenge, name: name, password: secret, ntResponse: given)
    }

    public func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// 64 hexadecimal digits in a file nobody but its owner, who is root or ourselves, can read.
    static func readKey(_ path: String) throws(LocalAAAError) -> [UInt8] {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .keyFile("\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .keyFile("\(path): expected a regular file")
        }
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            throw .keyFile("\(path): belongs to user \(status.st_uid), expected root or user \(geteuid())")
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            throw .keyFile("\(path): has mode \(mode), others could read it: expected 600 or 400")
        }
        var text = [UInt8](repeating: 0, count: 128)
        let count = read(descriptor, &text, text.count)
        let digits = String(decoding: text.prefix(max(0, count)), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        guard let key = bytes(hexadecimal: digits), key.count == 32 else {
            throw .keyFile("\(path): expected 64 hexadecimal digits, as `openssl rand -hex 32` prints them")
        }
        return key
    }
}
