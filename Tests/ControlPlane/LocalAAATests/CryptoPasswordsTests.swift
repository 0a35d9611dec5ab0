// SPDX-License-Identifier: Apache-2.0
// The cryptography against published values, and the key file against everybody else.

import BNGCore
import Foundation
import Subscribers
import Testing

@testable import LocalAAA

/// A file that disappears after the test.
func withFile(_ text: String, mode: Int = 0o600, _ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "bng-key-\(UUID().uuidString.prefix(8))").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(text.utf8).write(to: URL(filePath: path))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    try body(path)
}

private let key = String(repeating: "0f", count: 32)

struct CryptoPasswordsTests {
    @Test func `scrypt gives the value of RFC 7914 section 12`() throws {
        let cost = try #require(ScryptCost(logCost: 14, blockSize: 8, parallelism: 1))
        let digest = try CryptoPasswords(keyFile: "").scrypt(
            Array("pleaseletmein".utf8), salt: Array("SodiumChloride".utf8), cost: cost, count: 64)
        let expected =
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
            + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
        #expect(digest.map { hexadecimal($0) } == expected)
    }

    @Test func `a CHAP response is MD5 over identifier, secret and challenge`() throws {
        let response = try CryptoPasswords(keyFile: "").chapResponse(
            identifier: 7, secret: Array("secret".utf8), challenge: Array(0..<16))
        #expect(hexadecimal(response) == "821643665b430359e52ac524d29c8f95")
    }

    @Test func `what is sealed opens for the same name and key only, and never changed`() throws {
        try withFile(key + "\n") { path in
            let cryptography = try CryptoPasswords(keyFile: path)
            let secret = Array("hunter2".utf8)
            let sealed = try #require(cryptography.seal(secret, name: "alice"))
            #expect(cryptography.open(sealed, name: "alice") == secret)
            #expect(cryptography.seal(secret, name: "alice") != sealed, "a nonce is never used twice")
            #expect(cryptography.open(sealed, name: "bob") == nil)
            for index in sealed.indices {
                var changed = sealed
                changed[index] ^= 1
                #expect(cryptography.open(changed, name: "alice") == nil)
                #expect(cryptography.open(Array(sealed[..<index]), name: "alice") == nil)
            }
            try withFile(String(key.reversed())) { other in
                let stranger = try CryptoPasswords(keyFile: other)
                #expect(stranger.open(sealed, name: "alice") == nil)
            }
            let keyless = try CryptoPasswords(keyFile: "")
            #expect(keyless.open(sealed, name: "alice") == nil && keyless.seal(secret, name: "alice") == nil)
        }
    }

    @Test(arguments: [0o640, 0o604, 0o660, 0o644, 0o610])
    func `a key file others could read is refused`(_ mode: Int) throws {
        try withFile(key, mode: mode) { path in
            let error = #expect(throws: LocalAAAError.self) { try CryptoPasswords(keyFile: path) }
            #expect(error?.description.contains("expected 600 or 400") == true)
        }
    }

    @Test(arguments: ["", "0f", String(repeating: "0f", count: 33), String(repeating: "zz", count: 32)])
    func `a key of another length is refused, and never repeated`(_ text: String) throws {
        try withFile(text) { path in
            let error = #expect(throws: LocalAAAError.self) { try CryptoPasswords(keyFile: path) }
            #expect(error?.description.contains("expected 64 hexadecimal digits") == true)
            #expect(text.count < 64 || error?.description.contains(text) == false)
        }
    }

    @Test func `a key file that is none is refused with its name`() {
        let missing = #expect(throws: LocalAAAError.self) { try CryptoPasswords(keyFile: "/nowhere/key") }
        #expect(missing?.description == "/nowhere/key: No such file or directory")
        let folder = #expect(throws: LocalAAAError.self) { try CryptoPasswords(keyFile: "/tmp") }
        #expect(folder?.description == "/tmp: expected a regular file")
    }
}
