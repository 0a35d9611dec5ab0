// SPDX-License-Identifier: Apache-2.0
// What a node's proof of identity is computed over: both ends of one TLS connection and nonces that come once (docs/contract.md, section 14).

import Crypto

/// Both ends of a TLS connection between an agent and a controller.
public struct ChannelBinding: Hashable, Sendable {
    /// SHA-256 of the controller's own certificate, DER; 32 bytes.
    public var serverCertificateHash: [UInt8]
    /// SubjectPublicKeyInfo of the agent's certificate, DER.
    public var agentKey: [UInt8]

    /// - Parameter serverCertificate: DER.
    public init(serverCertificate: [UInt8], agentKey: [UInt8]) {
        self.serverCertificateHash = Array(SHA256.hash(data: serverCertificate))
        self.agentKey = agentKey
    }

    /// SHA-256 of the agent's key: the node's fingerprint.
    public var agentKeyHash: [UInt8] { Array(SHA256.hash(data: self.agentKey)) }
}

/// The computations behind proofs.
public enum IdentityProof {
    /// Bytes of a nonce, of either side.
    public static let nonceBytes = 32

    private static func pskText(_ binding: ChannelBinding, _ serverNonce: [UInt8], _ agentNonce: [UInt8]) -> [UInt8] {
        Array("bng-psk-v1".utf8) + serverNonce + agentNonce + binding.serverCertificateHash + binding.agentKey
    }

    /// HMAC-SHA-256 that shows knowledge of a pre-shared key on this connection; 32 bytes.
    public static func pskMAC(
        key: [UInt8], binding: ChannelBinding, serverNonce: [UInt8], agentNonce: [UInt8]
    ) -> [UInt8] {
        let text = self.pskText(binding, serverNonce, agentNonce)
        return Array(HMAC<SHA256>.authenticationCode(for: text, using: SymmetricKey(data: key)))
    }

    /// Compares in constant time.
    public static func isValidPSK(
        mac: [UInt8], key: [UInt8], binding: ChannelBinding, serverNonce: [UInt8], agentNonce: [UInt8]
    ) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(
            mac, authenticating: self.pskText(binding, serverNonce, agentNonce), using: SymmetricKey(data: key))
    }

    /// The qualifying data a TPM's quote must carry; 32 bytes.
    public static func quoteData(binding: ChannelBinding, serverNonce: [UInt8]) -> [UInt8] {
        var text = Array("bng-tpm-quote-v1".utf8) + serverNonce
        text += binding.agentKeyHash
        text += binding.serverCertificateHash
        return Array(SHA256.hash(data: text))
    }
}
