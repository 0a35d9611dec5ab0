// SPDX-License-Identifier: Apache-2.0
// The cryptography stored passwords need: a driver brings a library that computes it.

/// Cost of one scrypt (RFC 7914 2): 128 * 2^logCost * blockSize bytes of memory.
public struct ScryptCost: Hashable, Sendable {
    /// Memory of one computation at most.
    public static let memoryLimit = 64 << 20
    /// 32 MiB; 50 to 100 ms.
    public static let usual = ScryptCost(logCost: 15, blockSize: 8, parallelism: 1)

    public let logCost: Int
    public let blockSize: Int
    public let parallelism: Int

    private init(logCost: Int, blockSize: Int, parallelism: Int) {
        self.logCost = logCost
        self.blockSize = blockSize
        self.parallelism = parallelism
    }

    /// nil if it is too cheap to protect anything, or so dear that it would stop a controller.
    public init?(logCost: UInt64, blockSize: UInt64, parallelism: UInt64) {
        guard (10...20).contains(logCost), (1...32).contains(blockSize), (1...4).contains(parallelism),
            128 << logCost * blockSize <= UInt64(Self.memoryLimit)
        else { return nil }
        self.init(logCost: Int(logCost), blockSize: Int(blockSize), parallelism: Int(parallelism))
    }
}

/// What is done with stored passwords. Scrypt takes long, and never runs on an event loop; the rest takes microseconds.
public protocol PasswordCryptography: Sendable {
    /// nil if the memory is not to be had.
    func scrypt(_ password: [UInt8], salt: [UInt8], cost: ScryptCost, count: Int) -> [UInt8]?
    /// Encrypts so that only the same name opens it; nil without a key.
    func seal(_ password: [UInt8], name: String) -> [UInt8]?
    /// nil without the key, or if it was sealed for another name or changed since.
    func open(_ sealed: [UInt8], name: String) -> [UInt8]?
    /// RFC 1994 4.1: MD5 over identifier, secret and challenge.
    func chapResponse(identifier: UInt8, secret: [UInt8], challenge: [UInt8]) -> [UInt8]
    /// RFC 2759: what proves to the client that the secret is known here too, "S=…". nil: the response is wrong, or has not the
    /// 49 bytes of section 4.
    func msChapV2Proof(name: [UInt8], secret: [UInt8], challenge: [UInt8], response: [UInt8]) -> [UInt8]?
    func randomBytes(_ count: Int) -> [UInt8]
}
