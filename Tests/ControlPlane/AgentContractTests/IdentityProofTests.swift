// SPDX-License-Identifier: Apache-2.0
// The proofs of docs/contract.md, section 14, by value: the agent's tests hold the same one.

import AgentContract
import Testing

@Suite struct IdentityProofTests {
    private let key = Array("0123456789abcdef0123456789abcdef".utf8)
    private let binding = ChannelBinding(
        serverCertificate: [UInt8](repeating: 3, count: 100), agentKey: [UInt8](repeating: 4, count: 91))
    private let nonces = ([UInt8](repeating: 1, count: 32), [UInt8](repeating: 2, count: 32))

    @Test func `a pre-shared key's proof is what the specification says`() {
        let mac = IdentityProof.pskMAC(
            key: self.key, binding: self.binding, serverNonce: self.nonces.0, agentNonce: self.nonces.1)
        #expect(
            mac.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
                == "5e5d97fff6595e7775aa74de1047cebc408dc59d17f6a6df815ed2ad3a5aebc0")
        #expect(
            IdentityProof.isValidPSK(
                mac: mac, key: self.key, binding: self.binding, serverNonce: self.nonces.0, agentNonce: self.nonces.1))
    }

    @Test func `every part of it counts`() {
        let mac = IdentityProof.pskMAC(
            key: self.key, binding: self.binding, serverNonce: self.nonces.0, agentNonce: self.nonces.1)
        var other = self.binding
        other.agentKey[90] ^= 1
        var server = self.binding
        server.serverCertificateHash[0] ^= 1
        let (first, second) = self.nonces
        let tries: [([UInt8], ChannelBinding, [UInt8], [UInt8], [UInt8])] = [
            (self.key + [1], self.binding, first, second, mac), (self.key, other, first, second, mac),
            (self.key, server, first, second, mac), (self.key, self.binding, second, second, mac),
            (self.key, self.binding, first, first, mac), (self.key, self.binding, first, second, mac.dropLast()),
            (self.key, self.binding, first, second, []),
        ]
        for (key, binding, serverNonce, agentNonce, mac) in tries {
            #expect(
                !IdentityProof.isValidPSK(
                    mac: mac, key: key, binding: binding, serverNonce: serverNonce, agentNonce: agentNonce))
        }
    }

    @Test func `a quote is bound to both ends of the connection`() {
        #expect(
            IdentityProof.quoteData(binding: self.binding, serverNonce: self.nonces.0).map {
                String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
            }.joined() == "37438614f34be58679e54b3047f8aa4ee67a2b6656612e1d045b3e6edf2c7e7b")
    }
}
