// SPDX-License-Identifier: Apache-2.0
// MS-CHAPv2 and what it is made of, against published values.

import BNGCore
import Testing

@testable import LocalAAA

private func hex(_ text: String) -> [UInt8] { bytes(hexadecimal: text) ?? [] }

struct MSCHAPv2Tests {
    @Test(
        arguments: [
            ("", "31d6cfe0d16ae931b73c59d7e0c089c0"), ("a", "bde52cb31de33e46245e05fbdbd6fb24"),
            ("abc", "a448017aaf21d8525fc10ae87aa6729d"), ("message digest", "d9130a8164549fe818874806e1c7014b"),
            ("abcdefghijklmnopqrstuvwxyz", "d79e1c308aa5bbcdeea8ed63df412da9"),
            (
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
                "043f8582f241db351ce627e153e7f0e4"
            ),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "e33b4ddc9c38f2199c3e7b164fcc0536"
            ),
        ])
    func `MD4 gives the values of RFC 1320 A 5`(_ text: String, _ digest: String) {
        #expect(hexadecimal(MD4.hash(Array(text.utf8))) == digest)
    }

    @Test func `MD4 pads messages of every length around a block`() {
        let digests = (0...130).map { MD4.hash([UInt8](repeating: 0x61, count: $0)) }
        #expect(Set(digests).count == 131 && digests.allSatisfy { $0.count == MD4.digestCount })
        // By OpenSSL's legacy provider.
        #expect(
            hexadecimal(digests[55]) == "c889c81dd86c4d2e025778944ea02881"
                && hexadecimal(digests[56]) == "d5f9a9e9257077a5f08b0b92f348b0ad")
        #expect(
            hexadecimal(digests[64]) == "52f5076fabd22680234a3fa9f9dc5732"
                && hexadecimal(digests[119]) == "e65dd227ccef97fa1d34d70189120f76")
    }

    /// The substitution table test of NBS Special Publication 500-20: it reads every entry of every S-box.
    @Test(
        arguments: [
            ("7ca110454a1a6e57", "01a1d6d039776742", "690f5b0d9a26939b"),
            ("0131d9619dc1376e", "5cd54ca83def57da", "7a389d10354bd271"),
            ("07a1133e4a0b2686", "0248d43806f67172", "868ebb51cab4599a"),
            ("3849674c2602319e", "51454b582ddf440a", "7178876e01f19b2a"),
            ("04b915ba43feb5b6", "42fd443059577fa2", "af37fb421f8c4095"),
            ("0113b970fd34f2ce", "059b5e0851cf143a", "86a560f10ec6d85b"),
            ("0170f175468fb5e6", "0756d8e0774761d2", "0cd3da020021dc09"),
            ("43297fad38e373fe", "762514b829bf486a", "ea676b2cb7db2b7a"),
            ("07a7137045da2a16", "3bdd119049372802", "dfd64a815caf1a0f"),
            ("04689104c2fd3b2f", "26955f6835af609a", "5c513c9c4886c088"),
            ("37d06bb516cb7546", "164d5e404f275232", "0a2aeeae3ff4ab77"),
            ("1f08260d1ac2465e", "6b056e18759f5cca", "ef1bf03e5dfa575a"),
            ("584023641aba6176", "004bd6ef09176062", "88bf0db6d70dee56"),
            ("025816164629b007", "480d39006ee762f2", "a1f9915541020b56"),
            ("49793ebc79b3258f", "437540c8698f3cfa", "6fbf1cafcffd0556"),
            ("4fb05e1515ab73a7", "072d43a077075292", "2f22e49bab7ca1ac"),
            ("49e95d6d4ca229bf", "02fe55778117f12a", "5a6b612cc26cce4a"),
            ("018310dc409b26d6", "1d9d5c5018f728c2", "5f4c038ed12b2e41"),
            ("1c587f1c13924fef", "305532286d6f295a", "63fac0d034d9f793"),
        ])
    func `DES gives the values of the substitution table test`(_ key: String, _ block: String, _ result: String) {
        #expect(hexadecimal(DES.encrypt(hex(block), key: Self.withoutParity(hex(key)))) == result)
    }

    private static func withoutParity(_ key: [UInt8]) -> [UInt8] {
        let bits = key.reduce(UInt64(0)) { $0 << 7 | UInt64($1 >> 1) }
        return (0..<7).map { UInt8(truncatingIfNeeded: bits >> UInt64(48 - 8 * $0)) }
    }

    // RFC 2759 9.2.
    private let name = Array("User".utf8)
    private let password = Array("clientPass".utf8)
    private let challenge = hex("5b5d7c7d7b3f2f3e3c2c602132262628")
    private let peerChallenge = hex("21402324255e262a28295f2b3a337c7e")

    @Test func `the responses are those of RFC 2759 9 point 2`() {
        let answer = MSCHAPv2.ntResponse(
            challenge: self.challenge, peerChallenge: self.peerChallenge, name: self.name, password: self.password)
        #expect(hexadecimal(answer) == "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df")
        let proof = MSCHAPv2.authenticatorResponse(
            challenge: self.challenge, peerChallenge: self.peerChallenge, name: self.name, password: self.password,
            ntResponse: answer)
        #expect(String(decoding: proof, as: UTF8.self) == "S=407A5589115FD0D6209F510FE9C04566932CDA56")
    }

    @Test func `a right response is answered with a proof, any other with nothing`() throws {
        let cryptography = try CryptoPasswords(keyFile: "")
        let response = MSCHAPv2.response(
            challenge: self.challenge, peerChallenge: self.peerChallenge, name: self.name, password: self.password)
        #expect(response.count == MSCHAPv2.responseCount)
        func proof(_ name: [UInt8], _ secret: [UInt8], _ response: [UInt8]) -> String? {
            cryptography.msChapV2Proof(name: name, secret: secret, challenge: self.challenge, response: response)
                .map { String(decoding: $0, as: UTF8.self) }
        }
        let right = "S=407A5589115FD0D6209F510FE9C04566932CDA56"
        #expect(proof(self.name, self.password, response) == right)
        #expect(proof(Array("OFFICE\\User".utf8), self.password, response) == right, "a domain is not part of the name")
        #expect(proof(Array("user".utf8), self.password, response) == nil)
        #expect(proof(self.name, Array("clientpass".utf8), response) == nil)
        for index in response.indices where !(16..<24).contains(index) && index != 48 {
            var changed = response
            changed[index] ^= 1
            #expect(proof(self.name, self.password, changed) == nil)
        }
        for count in [0, 1, 48, 50] {
            #expect(proof(self.name, self.password, Array((response + [0]).prefix(count))) == nil)
        }
        #expect(
            cryptography.msChapV2Proof(name: self.name, secret: self.password, challenge: [], response: response)
                == nil)
    }

    @Test func `passwords beyond ASCII are hashed as UTF-16`() {
        let answer = MSCHAPv2.ntResponse(
            challenge: self.challenge, peerChallenge: self.peerChallenge, name: self.name,
            password: Array("Straße€😀".utf8))
        #expect(hexadecimal(answer) == "50fa7ecc31afe7f842f7854e26e055d9e9bf8df9c1b966e3")
    }
}
