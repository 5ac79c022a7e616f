"""The source of a run whose input names none."""

# The data set of the teaching notebook (UCI 212, DOI 10.24432/C5K89B). The member's hash is pinned
# rather than the archive's: zips of the same file differ.
UCI = "https://archive.ics.uci.edu/static/public/212/vertebral+column.zip"
MEMBER = "column_2C_weka.arff"
MEMBER_SHA256 = "2a9b58f5ff0d13843c17a2e6dcabd1866904fc6bc975d40f860fce3d2ec085da"
