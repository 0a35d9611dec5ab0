// SPDX-License-Identifier: Apache-2.0
// The digests of RADIUS by swift-crypto, for tests of every layer.

import BNGCore
import Crypto

/// MD5 and HMAC-MD5.
public struct TestDigests: MessageDigests {
    public init() {}

    public func md5(_ bytes: [UInt8]) -> [UInt8] { Array(Insecure.MD5.hash(data: bytes)) }

    public func hmacMD5(key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        Array(HMAC<Insecure.MD5>.authenticationCode(for: bytes, using: SymmetricKey(data: key)))
    }
}
