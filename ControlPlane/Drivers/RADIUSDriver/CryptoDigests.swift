// SPDX-License-Identifier: Apache-2.0
// The digests of RADIUS by swift-crypto.

import BNGCore
import Crypto

struct CryptoDigests: MessageDigests {
    func md5(_ bytes: [UInt8]) -> [UInt8] { Array(Insecure.MD5.hash(data: bytes)) }

    func hmacMD5(key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        Array(HMAC<Insecure.MD5>.authenticationCode(for: bytes, using: SymmetricKey(data: key)))
    }
}
