// SPDX-License-Identifier: Apache-2.0
// Authenticators, signatures and passwords against the RFCs' examples and the computed vectors.

import BNGCore
import RADIUS
import TestVectors
import Testing

@Suite struct SecretTests {
    @Test(arguments: PacketVector.all) func `answers in the vectors are genuine for their request only`(
        _ vector: PacketVector
    ) throws {
        guard let answer = vector.answer else { return }
        let request = try RADIUSCodec.decode(vector.packet.span)
        let signed = try RADIUSCodec.decode(answer.span).attributes.first(.messageAuthenticator) != nil
        #expect(vector.secret.check(answer: answer, to: request.authenticator) == .genuine(signed: signed))
        #expect(vector.secret.check(answer: answer, to: .zero) == .badAuthenticator)
        let other = RADIUSSecret(Array("another".utf8), digests: TestDigests())
        #expect(other.check(answer: answer, to: request.authenticator) == .badAuthenticator)
    }

    @Test(arguments: PacketVector.all) func `requests with a computed authenticator are judged as the vectors say`(
        _ vector: PacketVector
    ) {
        guard let verdict = vector.verdict else { return }
        let expected: RADIUSSecret.Verdict =
            switch verdict {
            case "signed": .genuine(signed: true)
            case "unsigned": .genuine(signed: false)
            case "bad signature": .badMessageAuthenticator
            default: .badAuthenticator
            }
        #expect(vector.secret.check(computedRequest: vector.packet) == expected)
    }

    @Test(arguments: PacketVector.all) func `passwords are hidden as in the RFC's examples`(_ vector: PacketVector)
        throws
    {
        guard let password = vector.password else { return }
        let request = try RADIUSCodec.decode(vector.packet.span)
        let hidden = vector.secret.hide(password: password, authenticator: request.authenticator)
        #expect(request.attributes.first(.userPassword) == hidden[...])
    }

    @Test func `an empty password fills a block, a long one is cut at 128 bytes`() {
        let secret = RADIUSSecret([1], digests: TestDigests())
        for (count, length) in [(0, 16), (1, 16), (16, 16), (17, 32), (128, 128), (129, 128), (4_000, 128)] {
            let hidden = secret.hide(password: [UInt8](repeating: 65, count: count), authenticator: .zero)
            #expect(hidden.count == length)
        }
    }

    @Test func `an Access-Request is signed, and the signature comes first`() throws {
        let vector = try #require(PacketVector.all.first { $0.name == "access-signed" })
        var packet = try RADIUSCodec.decode(vector.packet.span)
        #expect(vector.secret.seal(request: packet) == vector.packet)
        packet.attributes = RADIUSAttributes()
        packet.attributes.append(.userName, Array("x".utf8))
        packet.attributes.append(.messageAuthenticator, [1, 2])
        let sealed = vector.secret.seal(request: packet)
        #expect(sealed[20] == 80 && sealed[21] == 18)
        #expect(vector.secret.check(randomRequest: sealed) == .genuine(signed: true))
    }

    @Test func `what we compute is what the vectors hold`() throws {
        for vector in PacketVector.all where vector.verdict == "signed" || vector.verdict == "unsigned" {
            let packet = try RADIUSCodec.decode(vector.packet.span)
            #expect(vector.secret.seal(computing: packet, signed: vector.verdict == "signed") == vector.packet)
            guard let bytes = vector.answer else { continue }
            let answer = try RADIUSCodec.decode(bytes.span)
            let signed = answer.attributes.first(.messageAuthenticator) != nil
            #expect(vector.secret.seal(answer: answer, to: packet.authenticator, signed: signed) == bytes)
        }
    }

    @Test func `every single-bit change of a signed answer is noticed`() throws {
        let vector = try #require(PacketVector.all.first { $0.name == "access-signed" })
        let request = try RADIUSCodec.decode(vector.packet.span).authenticator
        let answer = try #require(vector.answer)
        for index in answer.indices {
            var changed = answer
            changed[index] ^= 0x04
            guard (try? RADIUSCodec.decode(changed.span)) != nil, Int(changed[2]) << 8 | Int(changed[3]) == answer.count
            else { continue }
            #expect(vector.secret.check(answer: changed, to: request) != .genuine(signed: true), "byte \(index)")
        }
    }

    @Test func `an Accounting-Response signed over zeros, as FreeRADIUS does, is genuine`() throws {
        let secret = RADIUSSecret(Array("x".utf8), digests: TestDigests())
        let request = try #require(RADIUSAuthenticator([UInt8](1...16)))
        let packet = RADIUSPacket(code: .accountingResponse, identifier: 1)
        var bytes = secret.seal(answer: packet, to: .zero, signed: true)
        bytes.replaceSubrange(4..<20, with: request.bytes)
        bytes.replaceSubrange(4..<20, with: TestDigests().md5(bytes + Array("x".utf8)))
        #expect(secret.check(answer: bytes, to: request) == .genuine(signed: true))
    }

    @Test func `a secret shows itself to nobody`() {
        let secret = RADIUSSecret(Array("hunter2".utf8), digests: TestDigests())
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped] {
            #expect(!text.contains("hunter2") && !text.contains("104"), "\(text)")
        }
    }

    @Test func `bytes are equal only if all of them are`() {
        #expect(equalInConstantTime([1, 2, 3], [1, 2, 3]))
        #expect(!equalInConstantTime([1, 2, 3], [1, 2, 4]))
        #expect(!equalInConstantTime([1, 2, 3], [1, 2]))
        #expect(equalInConstantTime([], []))
    }
}
