// SPDX-License-Identifier: Apache-2.0
// Runs a program without blocking a thread of Swift's concurrency pool: there are as many as cores, and servers under test need them.

import Foundation

/// What a program left behind.
public struct ChildResult: Sendable {
    public var status: Int32
    public var output: String
}

/// Runs a program to its end. `running` is called with its process id from another thread while it runs.
public func runChild(
    _ path: String, _ arguments: [String], in folder: URL? = nil,
    running: (@Sendable (pid_t) -> Void)? = nil
) async throws -> ChildResult {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
            let process = Process()
            process.executableURL = URL(filePath: path)
            process.arguments = arguments
            process.currentDirectoryURL = folder
            let output = Pipe()
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            do {
                try process.run()
            } catch {
                return continuation.resume(throwing: error)
            }
            let id = process.processIdentifier
            if let running { Thread.detachNewThread { running(id) } }
            let text = String(decoding: readToEnd(output.fileHandleForReading.fileDescriptor), as: UTF8.self)
            process.waitUntilExit()
            continuation.resume(returning: ChildResult(status: process.terminationStatus, output: text))
        }
    }
}

/// All of a pipe. A signal in between is no end: Foundation's own readDataToEndOfFile traps on EINTR.
private func readToEnd(_ file: CInt) -> [UInt8] {
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(file, &part, part.count)
        if count > 0 {
            bytes += part[..<count]
        } else if count == 0 || errno != EINTR {
            return bytes
        }
    }
}
